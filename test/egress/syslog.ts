// Where HAProxy's log goes in the egress lab: datagrams to lines on stdout. usage: bun syslog.ts
import { createSocket } from "node:dgram";

const socket = createSocket("udp4");
socket.on("message", (message) => process.stdout.write(`${message.toString("utf8").replace(/\n/g, " ")}\n`));
socket.bind(514, "127.0.0.1", () => void process.stdout.write("ready\n"));
