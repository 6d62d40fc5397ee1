import { afterEach } from 'vitest';
import { createTestEngine, type TestEngineOptions } from './memory-engine';

/** An engine that is started. */
type StartedEngine = ReturnType<typeof createTestEngine>;

/** Engines for the tests of the file, or of the `describe`, that asks for them: each is started, and drained after its test. */
export function startedEngines() {
  const engines: StartedEngine[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });
  return async (options: TestEngineOptions): Promise<StartedEngine> => {
    const made = createTestEngine(options);
    engines.push(made);
    await made.host.start();
    return made;
  };
}
