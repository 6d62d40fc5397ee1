import { engineMethods } from '@/bench/engine-methods';
import { dbosMethods } from '@/bench/peers/dbos';
import { restateMethods } from '@/bench/peers/restate';
import { soakMethods } from '@/bench/soak-methods';
import { type ChildMethods, serveMethods } from '@/bench/support/child-server';

const ROLES: Readonly<Record<string, () => ChildMethods>> = {
  ours: engineMethods,
  dbos: dbosMethods,
  restate: restateMethods,
  soak: soakMethods,
};

/** A process of the engine bench; its parent asks it over stdin. */
export async function runEngineChild([role = '']: readonly string[]): Promise<void> {
  const methods = ROLES[role];
  if (!methods) throw new Error(`There is no role "${role}".`);
  await serveMethods(methods());
  process.exit(0);
}
