import pg from 'pg';

/** Fewer characters could be found by chance. */
const MIN_LENGTH = 12;

/** What may not be seen anywhere: every form in which it could be written, and what it is. */
const forms = new Map<string, string>();

/**
 * Notes a secret that must not turn up: in a line of a log of any instance that a test starts, nor in any table of a test's database.
 * Both are searched when the test ends them, in plain and in the usual disguises.
 */
export function plant(value: string, what: string): string {
  if (value.length < MIN_LENGTH) throw new Error(`${what} is too short to be looked for.`);
  for (const form of formsOf(value)) forms.set(form, what);
  return value;
}

/** Planted in every instance: a key for a language model, which is set up and never used. */
export const INSTANCE_CANARY = plant('canary-of-every-instance-8c1f4e', 'the secret of every instance');

/** A secret as it is, in JSON, in addresses, in hex and in base64 wherever it begins among the bytes around it. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Without the characters that neighbours have a part in.
    const first = shift === 0 ? 0 : shift + 1;
    return text.slice(first, first + Math.floor(((bytes.length - 3) * 8) / 6));
  });
  const url = shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  return [
    ...new Set([
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      hex,
      hex.toUpperCase(),
      ...shifted,
      ...url,
      [...value].reverse().join(''),
    ]),
  ];
}

/** What is planted and stands in a text; null when it is clean. `of` narrows it to these secrets. */
export function leakIn(text: string, of?: readonly string[]): string | null {
  const wanted =
    of === undefined ? forms : new Map(of.flatMap((value) => formsOf(value).map((form) => [form, value])));
  for (const [form, what] of wanted) {
    const at = text.indexOf(form);
    if (at >= 0)
      return `${what}, as "${form}", in: ${text.slice(Math.max(0, at - 200), at + form.length + 100)}`;
  }
  return null;
}

/** Throws when a line of a log holds something planted. */
export function assertCleanLog(lines: readonly string[]): void {
  const leak = lines.map((line) => leakIn(line)).find((found) => found !== null);
  if (leak) throw new Error(`A log holds ${leak}`);
}

/**
 * Throws when a row of any table holds something planted. Bytes are searched as they are and, where they are JSON or text, as
 * that: a row's text shows them in hex, which is one of the forms.
 */
export async function assertCleanDatabase(adminUrl: string, of?: readonly string[]): Promise<void> {
  const wanted = of === undefined ? [...forms.keys()] : of.flatMap(formsOf);
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // A test can have limited the statements of its database; this one takes as long as it takes.
    await client.query('SET statement_timeout = 0');
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
    );
    for (const { name } of tables) {
      const { rows } = await client.query<{ form: string; row: string }>(
        `SELECT f AS form, substr(r.text, greatest(1, position(f in r.text) - 200), 400) AS row
         FROM (SELECT whole_row::text AS text FROM ${name} whole_row) r, unnest($1::text[]) f WHERE position(f in r.text) > 0 LIMIT 1`,
        [wanted],
      );
      const found = rows[0];
      if (found)
        throw new Error(
          `The table ${name} holds ${forms.get(found.form) ?? 'a secret'}, as "${found.form}": ${found.row}`,
        );
    }
  } finally {
    await client.end();
  }
}
