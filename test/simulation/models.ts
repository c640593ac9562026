// Everything of one run, wired: the real relay and the real poller's sessions between the models.
import type { ResolvedConfig } from "../../contract/config.ts";
import { createEc2Model, type Ec2Model } from "./ec2.ts";
import { createGitHubModel } from "./github.ts";
import { createInvariants } from "./invariants.ts";
import { createJobsModel } from "./jobs.ts";
import { bootMachine } from "./machine.ts";
import { type Plant, planted } from "./plants.ts";
import { createRelayModel } from "./relay.ts";
import { createMailboxModel, type Death, startSessions } from "./sessions.ts";
import type { Storage } from "./storage.ts";
import type { Setting } from "./world.ts";

export interface Wiring {
	config: ResolvedConfig;
	storage: Storage;
	plant?: Plant | undefined;
	/** Whether relay and poller talk in JSON; they do unless told (relay.ts). */
	isJson?: boolean;
	deathOf(session: number): Death | null;
	/** Told when a session has died. */
	onDeath?: () => void;
}

/** Builds the models and starts the scheduler. */
export function startModels(setting: Setting, { config, storage, plant, isJson = true, deathOf, onDeath }: Wiring) {
	const { broken } = setting;
	const mailbox = createMailboxModel((instanceId, ip) => {
		if (ec2.machines.get(instanceId)?.privateIp !== ip) broken(`the boot document of ${instanceId} lies at ${ip}, where it does not look`);
	});
	const relay = createRelayModel(setting, storage, isJson, (result) => invariants.settling(result));
	const jobs = createJobsModel(setting, relay.deliver);
	const github = createGitHubModel(setting, jobs);
	const machines = { github, mailbox, ec2: (): Ec2Model => ec2, report: relay.report };
	const ec2 = createEc2Model(setting, (machine) => bootMachine(setting, machines, machine));
	const invariants = createInvariants(setting, { jobs, github, ec2, relay, config });
	const outside = { relay: relay.port, github: github.port, ec2: ec2.port, mailbox: mailbox.port, config };
	startSessions(setting, planted(plant, outside, relay, setting.clock.now), deathOf, onDeath);
	return { relay, jobs, github, ec2, invariants };
}
