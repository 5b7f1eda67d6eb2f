/** Where an option is proven to act: a test that fails when the option is ignored. */
export type Proof = readonly [file: string, test: string];

/**
 * By the function that takes the options, then by option: `a.b` stands for `b` in the object `a`, and
 * `a.*.b` for `b` in each of its values. An option that a type has and the list has not does not compile.
 */
export type Proofs<Options extends Readonly<Record<string, string>>> = {
  readonly [Taker in keyof Options]: Readonly<Record<Options[Taker], Proof>>;
};

export type Within<Name extends string, Options> = `${Name}.${keyof Options & string}`;
