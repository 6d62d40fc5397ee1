import { createInterface } from 'node:readline';

/** What a process of the bench can be asked; `close` is called when the asking side ends. */
export interface ChildMethods {
  // biome-ignore lint/suspicious/noExplicitAny: every method knows the shape of its own parameters
  [method: string]: (params: any) => unknown;
  close: () => Promise<void>;
}

/** Answers requests on stdin until it ends. Requests run side by side. */
export async function serveMethods(methods: ChildMethods): Promise<void> {
  const answer = async (line: string) => {
    const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: unknown };
    try {
      const run = methods[method];
      if (!run) throw new Error(`There is no method "${method}".`);
      reply({ id, result: (await run(params)) ?? null });
    } catch (error) {
      reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  for await (const line of createInterface({ input: process.stdin })) void answer(line);
  await methods.close();
}

function reply(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
