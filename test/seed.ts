import fc from "fast-check";

/** One seed for every property test, so that a red run is the change's doing; `FC_SEED` sets another, or `random`. */
const wanted = process.env.FC_SEED ?? "20261123";

if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted) });
