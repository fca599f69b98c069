declare const holds: unique symbol;

/** Text that is itself JSON: `JSON.stringify(value)`. Any string will do; `Held` is the shape it has when read. */
export type JsonText<Held> = string & { readonly [holds]?: Held };

/** Text that is itself an URL-encoded form. Any string will do; `Held` is the shape it has when read. */
export type FormText<Held> = string & { readonly [holds]?: Held };

/** What a text holds: `const detail: HeldBy<typeof response.promotion_detail> = JSON.parse(response.promotion_detail)`. */
export type HeldBy<Text> = Text extends { readonly [holds]?: infer Held } ? NonNullable<Held> : unknown;
