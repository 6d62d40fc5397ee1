import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

const definition = (more: object = {}): WorkflowDefinition =>
  ({
    schemaVersion: 1,
    name: 'charges',
    nodes: [
      {
        id: 'n',
        kind: 'mcp-server',
        server: 's',
        tool: 'charge',
        compensate: { server: 's', tool: 'refund' },
      },
    ],
    ...more,
  }) as WorkflowDefinition;

/** Nobody ever knows what became of a call. */
const fleet = {
  tool: async () => ({ annotations: {} }),
  keepPlace: () => undefined,
  call: async () => ({
    ok: false,
    failure: { code: 'NETWORK_ERROR', message: 'gone', retriable: true, ambiguous: true },
  }),
} as unknown as McpFleet;

describe('the row of a paused run with an unknown outcome', () => {
  let made: ReturnType<typeof createTestEngine> | undefined;
  afterEach(async () => {
    await made?.host.drain(0);
  });

  const paused = async (more: object = {}) => {
    made = createTestEngine({ definitions: [definition(more)], fleet });
    const { host, db } = made;
    await host.start();
    const runId = await made.start('charges');
    const has = async (type: string) => (await made?.eventTypes(runId))?.includes(type);
    await eventually('the outcome is unknown', () => has('ACTIVITY_TASK_OUTCOME_UNKNOWN'));
    await made.send(runId, 'WORKFLOW_EXECUTION_PAUSED', { by: 'tester' });
    await eventually('it is paused', () => db.runs.get(runId)?.status === 'paused');
    return { runId, engine: made, status: () => db.runs.get(runId)?.status, has };
  };

  it('says that it runs once a cancellation lifts the pause', async () => {
    const { runId, engine, status, has } = await paused();
    await engine.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await eventually('it is to close', () => has('RUN_CLOSING'));
    expect(status()).toBe('running');
  });

  it('says that it runs once its time is over', async () => {
    const { runId, engine, status, has } = await paused({ timeout: '1h' });
    await engine.send(runId, 'TIMER_FIRED', { timerId: 'run:timeout' });
    await eventually('it is to close', () => has('RUN_CLOSING'));
    expect(status()).toBe('running');
  });
});
