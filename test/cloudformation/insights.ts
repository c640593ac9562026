// The part of CloudWatch Logs Insights' language that our saved query uses (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html),
// carried out over lines. Throws for whatever it does not know, so that a query cannot pass by being misread here.

export interface LogEvent {
	/** Epoch ms. */
	at: number;
	group: string;
	message: string;
}
type Row = Record<string, unknown>;

function flattened(value: unknown, prefix = ""): Row {
	if (typeof value !== "object" || value === null) return prefix === "" ? {} : { [prefix]: value };
	const entries = Object.entries(value).map(([key, part]) => flattened(part, prefix === "" ? key : `${prefix}.${key}`));
	return Object.assign({}, ...entries) as Row;
}

/** The fields that are discovered in a JSON event, and those that every event has. */
function rowOf({ at, group, message }: LogEvent): Row {
	const own = { "@timestamp": at, "@message": message, "@log": `111122223333:${group}` };
	try {
		return { ...flattened(JSON.parse(message)), ...own };
	} catch {
		return own;
	}
}

const FIELD = "@?[A-Za-z_][A-Za-z0-9_.]*";

function parse(text: string): (rows: Row[]) => Row[] {
	const [, field, expression] = new RegExp(`^(${FIELD}) /(.+)/$`).exec(text) ?? [];
	if (field === undefined || expression === undefined) throw new Error(`parse ${text}: not known here`);
	const pattern = new RegExp(expression);
	return (rows) => rows.map((row) => ({ ...row, ...pattern.exec(String(row[field] ?? ""))?.groups }));
}

function filter(text: string): (rows: Row[]) => Row[] {
	const wanted = text.split(" or ").map((part) => {
		const [, field, value] = new RegExp(`^(${FIELD}) = "([^"]*)"$`).exec(part) ?? [];
		if (field === undefined) throw new Error(`filter ${part}: not known here`);
		return { field, value };
	});
	return (rows) => rows.filter((row) => wanted.some(({ field, value }) => row[field] === value));
}

function fields(text: string): (rows: Row[]) => Row[] {
	const made = text.split(/, (?=coalesce\()/).map((part) => {
		const [, names, name] = /^coalesce\(([^()]+)\) as ([a-z]+)$/.exec(part) ?? [];
		if (names === undefined || name === undefined) throw new Error(`fields ${part}: not known here`);
		return { name, names: names.split(", ") };
	});
	const first = (row: Row, names: string[]) => names.map((it) => row[it]).find((value) => value !== undefined && value !== null);
	return (rows) => rows.map((row) => ({ ...row, ...Object.fromEntries(made.map(({ name, names }) => [name, first(row, names)])) }));
}

const COMMANDS: Record<string, (text: string) => (rows: Row[]) => Row[]> = {
	parse,
	filter,
	fields,
	sort(text) {
		if (text !== "@timestamp asc") throw new Error(`sort ${text}: not known here`);
		return (rows) => rows.toSorted((one, other) => Number(one["@timestamp"]) - Number(other["@timestamp"]));
	},
	display(text) {
		const names = text.split(", ");
		return (rows) => rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));
	},
	limit(text) {
		if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 10_000) throw new Error(`limit ${text}: at most 10000`);
		return (rows) => rows.slice(0, Number(text));
	},
};

/** The rows that a query shows, its `{{parameters}}` filled in. */
export function answer(query: string, parameters: Record<string, string>, events: readonly LogEvent[]): Row[] {
	const filled = query.replace(/\{\{([A-Za-z]+)\}\}/g, (_, name: string) => {
		const value = parameters[name];
		if (value === undefined) throw new Error(`{{${name}}} has no value`);
		return value;
	});
	const commands = filled
		.trim()
		.split(/\n\s*\| /)
		.map((line) => {
			const [, name = "", text = ""] = /^([a-z]+) (.+)$/s.exec(line.trim()) ?? [];
			const command = COMMANDS[name];
			if (!command) throw new Error(`${name}: not known here`);
			return command(text.trim());
		});
	return commands.reduce((rows, command) => command(rows), events.map(rowOf));
}
