import { loadPeer } from '@/bench/peers/install';
import type { ChildMethods } from '@/bench/support/child-server';
import { closedLoop, type LoadPlan, type LoadResult } from '@/bench/support/closed-loop';

/** The part of DBOS that is used here. */
interface Dbos {
  DBOS: {
    setConfig(config: Record<string, unknown>): void;
    registerWorkflow<T>(run: () => Promise<T>, config: { name: string }): () => Promise<T>;
    runStep<T>(run: () => Promise<T>, config: { name: string }): Promise<T>;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
  };
}

/**
 * DBOS in a process of its own: the workflow is called directly, which is its quickest way (no queue in between), and
 * each step's result is stored before the next begins.
 */
export function dbosMethods(): ChildMethods {
  let shutdown = async () => {};
  let workflow = async (): Promise<unknown> => {
    throw new Error('DBOS is not open.');
  };
  return {
    async open({ databaseUrl, poolSize }: { databaseUrl: string; poolSize: number }): Promise<void> {
      const { DBOS } = await loadPeer<Dbos>('@dbos-inc/dbos-sdk');
      DBOS.setConfig({
        name: 'bench',
        systemDatabaseUrl: databaseUrl,
        systemDatabasePoolSize: poolSize,
        logLevel: 'error',
      });
      const noop = async () => ({ ok: true });
      workflow = DBOS.registerWorkflow(
        async () => {
          await DBOS.runStep(noop, { name: 'step1' });
          await DBOS.runStep(noop, { name: 'step2' });
          return DBOS.runStep(noop, { name: 'step3' });
        },
        { name: 'three-steps' },
      );
      await DBOS.launch();
      shutdown = () => DBOS.shutdown();
    },
    load: (plan: LoadPlan): Promise<LoadResult> => closedLoop(plan, workflow),
    close: () => shutdown(),
  };
}
