// What Mayfly costs in a month, item by item. What the templates and the poller decide (alarms, metrics) is counted there by cost.ts; prices are
// build/cost-prices.json and the poller's own table. Pure.
import machines from "../poller/prices.json";
import table from "./cost-prices.json";

export type PriceName = keyof typeof table.prices;

export interface Settings {
	zones: number;
	gatewayType: string;
	memoryMb: number;
	jobsPerMonth: number;
	/** From launch to off. */
	minutes: number;
	jobType: string;
	diskGb: number;
	/** Null: 0.1 GB, and 100 KB for each job. */
	logGb: number | null;
	logDays: number;
	uploadMbPerJob: number;
	domains: number;
	imageGb: number;
	cloudflare: "free" | "paid" | null;
	region: string;
}

/** What is counted in the templates and the code. */
export interface Counts {
	/** Without those that each gateway has. */
	alarms: number;
	dashboards: number;
	/** Told every minute, whatever happens. */
	steadyMetrics: number;
	/** Told in hours with jobs. */
	jobMetrics: number;
}

export interface Item {
	name: string;
	/** How the figure comes about, in words. */
	how: string;
	usd: number;
	/** What AWS's free tier takes off, if nothing else in the account uses it. */
	free: number;
	prices: PriceName[];
}
export interface Bill {
	/** What the stack costs, used or not. */
	stack: Item[];
	/** What machines cost while they run jobs. */
	jobs: Item[];
}

const HOURS = 730;
/** The schedule's starts, each of which reads the secret and its configuration. */
const STARTS = HOURS * 60;
/** Measured or counted in the code where there is something to count; else a guess that is on the high side. */
const PER_JOB = { logKb: 100, questions: 100, puts: 5, gets: 60 };
const IDLE = { logGb: 0.1, questions: STARTS * 3, storedGb: 1 };
/** Every gateway asks for its lists each 15 s. */
const LIST_GETS = HOURS * 240;
/** Jobs in a day that fit Cloudflare's free plan (docs/relay.md). */
const FREE_JOBS_A_DAY = 5000;
const LAUNCH_TEMPLATE_MIBPS = 300;
const INCLUDED_MIBPS = 125;
const GATEWAY_GB = 4;

const price = (name: PriceName) => table.prices[name].usd;
const freeOf = (name: keyof typeof table.free, much: number) => Math.min(much, table.free[name].much) * price(name);

/** Null where there is no price. */
export function hourlyOf(type: string): number | null {
	const own: Record<string, { usd: number }> = table.instances;
	const list: Record<string, number> = machines.usdPerHour;
	return list[type] ?? own[type]?.usd ?? null;
}

export function factorOf(region: string): number | null {
	return (machines.factors as Record<string, number>)[region] ?? null;
}

const whole = (value: number) => Math.round(value).toLocaleString("en-US");
const short = (value: number) => Number(value.toPrecision(3)).toLocaleString("en-US");

function poller({ memoryMb }: Settings): Item {
	const gbSeconds = (memoryMb / 1024) * HOURS * 3600;
	return {
		...{ name: "Poller: Lambda, all the time", how: `${memoryMb} MB, ${whole(gbSeconds)} GB-seconds, ${whole(STARTS)} starts` },
		...{ usd: gbSeconds * price("gbSecond") + STARTS * price("request"), prices: ["gbSecond", "request"] },
		free: freeOf("gbSecond", gbSeconds) + freeOf("request", STARTS),
	};
}

function network({ zones, gatewayType, domains, jobsPerMonth, uploadMbPerJob }: Settings): Item[] {
	const questions = IDLE.questions + jobsPerMonth * PER_JOB.questions;
	const outGb = (jobsPerMonth * uploadMbPerJob) / 1000;
	return [
		{
			...{ name: "Egress gateways", how: `${zones} ${gatewayType} with ${GATEWAY_GB} GB`, free: 0, prices: ["disk"] },
			usd: zones * (HOURS * (hourlyOf(gatewayType) ?? Number.NaN) + GATEWAY_GB * price("disk")),
		},
		{ name: "Public addresses", how: `${zones}, of the gateways`, usd: zones * HOURS * price("address"), free: 0, prices: ["address"] },
		{
			...{ name: "DNS Firewall", how: `${domains} domains, ${short(questions / 1e6)} M questions`, free: 0, prices: ["domain", "query"] },
			usd: domains * price("domain") + questions * price("query"),
		},
		{
			...{ name: "Traffic out", how: `${whole(outGb)} GB; what comes in is free`, usd: outGb * price("out"), prices: ["out"] },
			free: freeOf("out", outGb),
		},
	];
}

function watching({ zones, logGb, logDays, jobsPerMonth }: Settings, counts: Counts): Item[] {
	const gb = logGb ?? IDLE.logGb + (jobsPerMonth * PER_JOB.logKb) / 1e6;
	const metrics = counts.steadyMetrics + (jobsPerMonth > 0 ? counts.jobMetrics : 0);
	const alarms = counts.alarms + zones;
	return [
		{ name: "Alarms", how: `${alarms}`, usd: alarms * price("alarm"), free: freeOf("alarm", alarms), prices: ["alarm"] },
		{ name: "Metrics", how: `${metrics}`, usd: metrics * price("metric"), free: freeOf("metric", metrics), prices: ["metric"] },
		{
			...{ name: "Dashboard", how: `${counts.dashboards}`, usd: counts.dashboards * price("dashboard"), prices: ["dashboard"] },
			free: freeOf("dashboard", counts.dashboards),
		},
		{ name: "Logs taken in", how: `${short(gb)} GB`, usd: gb * price("logIn"), free: freeOf("logIn", gb), prices: ["logIn"] },
		{ name: "Logs kept", how: `${logDays} days`, usd: gb * (logDays / 30) * price("logKept"), free: 0, prices: ["logKept"] },
	];
}

function rest({ zones, jobsPerMonth, imageGb, cloudflare }: Settings): Item[] {
	const puts = jobsPerMonth * PER_JOB.puts;
	const gets = STARTS + zones * LIST_GETS + jobsPerMonth * PER_JOB.gets;
	const plan = cloudflare ?? (jobsPerMonth / 30 > FREE_JOBS_A_DAY ? "paid" : "free");
	const workers = plan === "paid" ? "workersPaid" : "workersFree";
	return [
		{
			...{ name: "Secret", how: `1, read ${whole(STARTS)} times`, free: 0, prices: ["secret", "secretCall"] },
			usd: price("secret") + STARTS * price("secretCall"),
		},
		{
			...{ name: "Mailbox bucket", how: `${IDLE.storedGb} GB, ${whole(puts)} PUT, ${whole(gets)} GET`, free: 0 },
			...{ usd: IDLE.storedGb * price("stored") + puts * price("put") + gets * price("get"), prices: ["stored", "put", "get"] },
		},
		{ name: "Images", how: `${imageGb} GB of snapshots`, usd: imageGb * price("snapshot"), free: 0, prices: ["snapshot"] },
		{ name: "Relay: Cloudflare", how: `Workers ${plan}`, usd: price(workers), free: 0, prices: [workers] },
	];
}

function jobsOf({ jobsPerMonth, minutes, jobType, diskGb }: Settings): Item[] {
	const hours = (jobsPerMonth * minutes) / 60;
	const disk = diskGb * price("disk") + (LAUNCH_TEMPLATE_MIBPS - INCLUDED_MIBPS) * price("throughput");
	return [
		{
			...{ name: "Machines", how: `${whole(hours)} hours of ${jobType} on demand; spot is less`, free: 0, prices: [] },
			usd: hours * (hourlyOf(jobType) ?? Number.NaN),
		},
		{
			...{ name: "Their disks", how: `${diskGb} GB with ${LAUNCH_TEMPLATE_MIBPS} MiB/s`, usd: (hours / HOURS) * disk, free: 0 },
			prices: ["disk", "throughput"],
		},
	];
}

/** A month's bill. AWS's prices are of us-east-1, times one factor for the region; Cloudflare's are the same everywhere. */
export function billOf(settings: Settings, counts: Counts): Bill {
	const factor = factorOf(settings.region) ?? Number.NaN;
	const there = (item: Item): Item =>
		item.name.startsWith("Relay") ? item : { ...item, usd: item.usd * factor, free: Math.min(item.usd, item.free) * factor };
	return {
		stack: [poller(settings), ...network(settings), ...watching(settings, counts), ...rest(settings)].map(there),
		jobs: jobsOf(settings).map(there),
	};
}

export const sumOf = (items: readonly Item[], key: "usd" | "free") => items.reduce((sum, item) => sum + item[key], 0);
