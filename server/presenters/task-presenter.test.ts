import { describe, expect, it } from 'vitest';
import { compile } from '@/lib/engine/compile';
import type { Actor } from '@/lib/protocol/actor';
import { workflowDefinitionSchema } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { LogFacts } from '@/server/ports/log';
import type { RunRow } from '@/server/ports/run-queries';
import { TaskPresenter } from '@/server/presenters/task-presenter';
import type { RunMasks } from '@/server/services/run-masks';
import type { RunService } from '@/server/services/run-service';
import { RunReader } from '@/server/services/run-state';

const actor = { kind: 'user', id: 'ada', organizationId: 'org', role: 'owner' } as unknown as Actor;
const definition = {
  schemaVersion: 1,
  name: 'asking',
  nodes: [{ id: 'ask', kind: 'approval', title: 'Ship it?' }],
  edges: [],
};
const AT = '2026-11-27T12:00:00.000Z';

/** The history of a run that asks, as a host writes it; `more` is what its question says besides. */
function history(runId: string, more: Record<string, unknown> = {}): WorkflowEventRecord[] {
  const started = {
    runId,
    workflowId: runId,
    workflow: 'asking',
    version: 1,
    definitionHash: 'h',
    input: null,
    startedBy: 'ada',
    flags: [],
    buildId: 'test',
  };
  const asked = { approvalId: 'ask', nodePath: 'ask', title: 'Ship it?', quorum: 1, ...more };
  return [
    { runId, seq: 1, type: 'WORKFLOW_EXECUTION_STARTED', at: AT, data: started },
    { runId, seq: 2, type: 'APPROVAL_REQUESTED', at: AT, data: asked },
  ] as unknown as WorkflowEventRecord[];
}

/** The list over runs that are read as they are stored; a history can be an error that reading it ends with. */
function setUp(histories: Record<string, WorkflowEventRecord[] | Error>) {
  const logged: LogFacts[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: note, with: () => log };
  function note(operation: string, facts?: LogFacts) {
    logged.push({ operation, ...facts });
  }
  const rows = Object.keys(histories).map(
    (runId) =>
      ({ runId, organizationId: 'org', workflow: 'asking', definitionHash: 'h', historyLength: 2 }) as RunRow,
  );
  const runs = {
    asking: async () => rows,
    events: async (_actor: Actor, runId: string) => {
      const found = histories[runId];
      if (found instanceof Error) throw found;
      return found ?? [];
    },
  } as unknown as RunService;
  const program = compile(workflowDefinitionSchema.parse(definition));
  const tasks = new TaskPresenter({
    runs,
    reader: new RunReader({ runs, program: async () => program }),
    masks: { of: async () => null } as unknown as RunMasks,
    access: { may: async () => true },
    log,
  });
  const list = async () => (await tasks.list(actor, undefined, 10, null)).items;
  return { list, logged };
}

describe('the list of tasks', () => {
  it('shows the deadline of 273,000 years that an older version let a question have', async () => {
    const { list } = setUp({ far: history('far', { deadline: 8_640_000_000_000_000 + Date.parse(AT) }) });
    expect(await list()).toMatchObject([{ title: 'Ship it?', deadline: '9999-12-31T23:59:59.999Z' }]);
  });

  it('leaves a run out whose history cannot be read, and says so in the log once', async () => {
    const broken = history('broken').slice(1);
    const gone = new AppError('RUN_NOT_FOUND', 'There is no run gone.');
    const { list, logged } = setUp({ broken, gone, good: history('good') });
    for (let i = 0; i < 2; i++) expect(await list()).toMatchObject([{ runId: 'good', title: 'Ship it?' }]);
    expect(logged).toMatchObject([
      { operation: 'list_tasks', run_id: 'broken', organization_id: 'org' },
      { operation: 'list_tasks', run_id: 'gone', error: expect.stringContaining('There is no run gone.') },
    ]);
  });

  it('does not pass a database that is away off as nothing to do', async () => {
    const away = Object.assign(new Error('terminating connection'), { code: '57P01' });
    await expect(setUp({ good: history('good'), other: away }).list()).rejects.toThrow(
      'terminating connection',
    );
  });
});
