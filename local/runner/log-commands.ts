// Workflow commands in a step's output, such as `::error::text`. Pure but for the `::stop-commands::` it remembers.
// From GitHub's page "Workflow commands for GitHub Actions".

export interface LoggedLine {
	/** As the log shows it; null for a command that leaves no line. */
	shown: string | null;
	/** To be masked from here on. */
	secret?: string;
	/** An error, warning or notice. */
	annotation?: string;
}

interface Command {
	name: string;
	value: string;
}

const unescaped = (text: string) => text.replace(/%0D/gi, "\r").replace(/%0A/gi, "\n").replace(/%25/g, "%");

function commandOf(line: string): Command | null {
	const text = line.trimStart();
	const end = text.startsWith("::") ? text.indexOf("::", 2) : -1;
	if (end < 0) return null;
	const [name = ""] = text.slice(2, end).split(" ");
	return name === "" ? null : { name: name.toLowerCase(), value: unescaped(text.slice(end + 2)) };
}

function lineOf({ name, value }: Command, line: string): LoggedLine {
	switch (name) {
		case "error":
		case "warning":
		case "notice":
			return { shown: `##[${name}]${value}`, annotation: value };
		case "debug":
			return { shown: null };
		case "group":
			return { shown: `##[group]${value}` };
		case "endgroup":
			return { shown: "##[endgroup]" };
		case "add-mask":
			return value.trim() === "" ? { shown: line } : { shown: null, secret: value };
		default:
			return { shown: line };
	}
}

/** Reads one line of output after the other. */
export function createCommandReader(): (line: string) => LoggedLine {
	let resume: string | null = null;
	return (line) => {
		const command = commandOf(line);
		if (resume !== null) {
			if (command?.name === resume.toLowerCase()) resume = null;
			return { shown: line };
		}
		if (!command) return { shown: line };
		if (command.name === "stop-commands" && command.value !== "") resume = command.value;
		return lineOf(command, line);
	};
}
