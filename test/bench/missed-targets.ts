/** Why a target is missed, for the README: a sentence or two under "P8 what is compared". */
export const missedTargets: Readonly<Record<string, string>> = {};
