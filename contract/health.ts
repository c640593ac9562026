// GET /health: that the relay is up, and nothing else.
import * as v from "valibot";
import { parserOf, Text } from "./parse.ts";

export const Health = v.object({ ok: v.literal(true), version: Text });
export type Health = v.InferOutput<typeof Health>;
export const parseHealth = parserOf(Health);
