// Which release of actions/runner this stands in for.
export const RUNNER_VERSION = "2.337.0";
/** Commit of actions/runner whose source FACTS 1 was read from. */
export const RUNNER_COMMIT = "258d6c857db3519913f7deb6004b60172f8043ae";
