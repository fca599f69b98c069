declare const holds: unique symbol;

/** A string that contains JSON: `JSON.stringify(value)`. Any string compiles; `Held` is the type of its content. */
export type JsonText<Held> = string & { readonly [holds]?: Held };

/** A string that contains a URL-encoded form. Any string compiles; `Held` is the type of its content. */
export type FormText<Held> = string & { readonly [holds]?: Held };

/** The content of a string: `const detail: HeldBy<typeof response.promotion_detail> = JSON.parse(response.promotion_detail)`. */
export type HeldBy<Text> = Text extends { readonly [holds]?: infer Held } ? NonNullable<Held> : unknown;
