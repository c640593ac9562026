// How QEMU is started: a machine like EC2's Nitro as far as QEMU has one: UEFI, a NVMe root, a serial console. Pure but for what it reads of this CPU.
import { readFileSync } from "node:fs";
import { networkArguments, type StandIns } from "./network.ts";

export interface QemuOptions {
	disk: string;
	/** Folder of this machine: its console, its control socket, its firmware's variables. */
	folder: string;
	standIns: StandIns;
	/** Started without the firmware; null: the firmware finds the disk's own program. */
	kernel: { file: string; cmdline: string; initrd?: string } | null;
	acceleration: "kvm" | "tcg";
	memoryMiB?: number;
	/** Every read of the root disk goes into the folder's `trace`. */
	trace?: boolean;
}

const EC2_UUID = "ec2d0d0e-6d61-4966-8c79-000000000001";
const FIRMWARE = "/usr/share/OVMF";
export const FIRMWARE_VARIABLES = `${FIRMWARE}/OVMF_VARS_4M.fd`;
export const consoleOf = (folder: string) => `${folder}/serial.log`;
export const controlOf = (folder: string) => `${folder}/qmp.sock`;
export const traceOf = (folder: string) => `${folder}/trace`;
export const variablesOf = (folder: string) => `${folder}/vars.fd`;

/** KVM where the CPU has what it needs. A /dev/kvm alone says nothing: some hosts offer one that runs no common kernel. */
export function accelerationHere(cpuinfo = readFileSync("/proc/cpuinfo", "utf8")): "kvm" | "tcg" {
	return /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo) ? "kvm" : "tcg";
}

function bootArguments({ kernel, folder }: QemuOptions): string[] {
	if (kernel !== null)
		return ["-kernel", kernel.file, "-append", kernel.cmdline, ...(kernel.initrd === undefined ? [] : ["-initrd", kernel.initrd])];
	return [
		...["-drive", `if=pflash,format=raw,readonly=on,file=${FIRMWARE}/OVMF_CODE_4M.fd`],
		...["-drive", `if=pflash,format=raw,file=${variablesOf(folder)}`],
	];
}

export function qemuCommand(options: QemuOptions): string[] {
	const { disk, folder, standIns, acceleration, memoryMiB = 2048 } = options;
	return [
		...[
			"qemu-system-x86_64",
			"-machine",
			"q35",
			"-smp",
			"2",
			"-m",
			String(memoryMiB),
			"-display",
			"none",
			"-monitor",
			"none",
			"-no-reboot",
		],
		// What says to a guest that it is at EC2.
		...["-uuid", EC2_UUID, "-smbios", `type=1,manufacturer=Amazon EC2,serial=${EC2_UUID}`],
		...(acceleration === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "max"]),
		...bootArguments(options),
		...[
			"-drive",
			`file=${disk},format=raw,if=none,id=root,cache=unsafe`,
			"-device",
			`nvme,serial=vol0,drive=root${options.kernel === null ? ",bootindex=0" : ""}`,
		],
		...networkArguments(standIns),
		...["-serial", `file:${consoleOf(folder)}`, "-qmp", `unix:${controlOf(folder)},server=on,wait=off`],
		...(options.trace ? ["-trace", "pci_nvme_read", "-D", traceOf(folder)] : []),
	];
}
