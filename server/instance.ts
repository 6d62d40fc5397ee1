/**
 * The one way from Next's route handlers to the running instance. Next bundles handlers apart from `server/`, so they must
 * not import services: they would get second copies. `server/index.ts` puts the instance here at start.
 */
export interface Instance {
  /** REST, health and metrics as one function. */
  handle(request: Request): Promise<Response>;
}

const KEY = Symbol.for('openconductor.instance');

type Holder = { [KEY]?: Instance };

export function setInstance(instance: Instance): void {
  (globalThis as Holder)[KEY] = instance;
}

/** Throws when the process was not started by `server/index.ts` (for example under `next start`). */
export function getInstance(): Instance {
  const instance = (globalThis as Holder)[KEY];
  if (!instance) throw new Error('OpenConductor is not running in this process. Start it with: npm start');
  return instance;
}
