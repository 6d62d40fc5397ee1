import { resolve } from 'node:path';
import { type Cases, NOBODY, type OperationCases, type World } from './case';

const unknownRun = (method: string, rest: string, body?: unknown): OperationCases['failure'] => ({
  status: 404,
  code: 'RUN_NOT_FOUND',
  ask: (w) => w.ask(method, `/api/v1/runs/${NOBODY}${rest}`, body),
});

async function completed(w: World): Promise<string> {
  const runId = await w.start('plain');
  await w.until(runId, 'completed');
  return runId;
}

async function failed(w: World): Promise<string> {
  const runId = await w.start('plain', { input: { fail: true } });
  await w.until(runId, 'failed');
  return runId;
}

async function waiting(w: World): Promise<string> {
  const runId = await w.start('waiting');
  await w.untilNode(runId, 'hold', 'waiting');
  return runId;
}

async function asking(w: World): Promise<string> {
  const runId = await w.start('asking');
  await w.untilNode(runId, 'ask', 'waiting');
  return runId;
}

/** A run whose server asks something in the middle of its call. */
async function questioned(w: World): Promise<string> {
  const script = resolve(import.meta.dirname, '../../fixtures/mcp-servers/modern-server.mjs');
  const config = { type: 'stdio', command: 'node', args: [script, 'stdio'] };
  const arguments_ = { env: 'prod' };
  const node = { id: 'deploy', kind: 'mcp-server', server: 'curious', tool: 'deploy', arguments: arguments_ };
  await w.ask('POST', '/api/v1/servers', { name: 'curious', config });
  await w.ask('POST', '/api/v1/workflows', { schemaVersion: 1, name: 'questioned', nodes: [node] });
  const runId = await w.start('questioned');
  await w.untilNode(runId, 'deploy', 'waiting');
  return runId;
}

/** Address of a file that a tool has answered with. */
async function payload(w: World): Promise<string> {
  const script = resolve(import.meta.dirname, '../../fixtures/mcp-servers/media-server.mjs');
  await w.ask('POST', '/api/v1/servers', {
    name: 'media',
    config: { type: 'stdio', command: 'node', args: [script] },
  });
  const node = {
    id: 'write',
    kind: 'mcp-server',
    server: 'media',
    tool: 'file',
    arguments: { size: 70_000 },
  };
  await w.ask('POST', '/api/v1/workflows', { schemaVersion: 1, name: 'filing', nodes: [node] });
  const runId = await w.start('filing');
  await w.until(runId, 'completed');
  const { body } = await w.ask('GET', `/api/v1/runs/${runId}`);
  const [written] = (
    body as { nodes: { output: { content: { resource: { blob: { $payload: { sha256: string } } } }[] } }[] }
  ).nodes;
  return `/api/v1/runs/${runId}/payloads/${written?.output.content[0]?.resource.blob.$payload.sha256}`;
}

const read = (rest: string): OperationCases['success'] => ({
  status: 200,
  ask: async (w) => w.ask('GET', `/api/v1/runs/${await completed(w)}${rest}`),
});

const command = (verb: string, body: unknown): OperationCases => ({
  success: { status: 202, ask: async (w) => w.ask('POST', `/api/v1/runs/${await waiting(w)}/${verb}`, body) },
  failure: {
    status: 409,
    code: 'RUN_CLOSED',
    ask: async (w) => w.ask('POST', `/api/v1/runs/${await completed(w)}/${verb}`, body),
  },
});

/** Cases of the operations around runs, their events and tasks. */
export const runCases: Cases = {
  listRuns: {
    success: {
      status: 200,
      ask: async (w) => {
        await completed(w);
        return w.ask(
          'GET',
          '/api/v1/runs?status=completed,failed&workflow=plain&attribute=customer:none&limit=3',
        );
      },
    },
    failure: { status: 400, code: 'INVALID_INPUT', ask: (w) => w.ask('GET', '/api/v1/runs?status=sleeping') },
  },
  startRun: {
    success: { status: 201, ask: (w) => w.ask('POST', '/api/v1/runs', { workflow: 'plain' }) },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('POST', '/api/v1/runs', { workflow: 'nope' }),
    },
  },
  getRun: { success: read(''), failure: unknownRun('GET', '') },
  getRunTimeline: { success: read('/timeline'), failure: unknownRun('GET', '/timeline') },
  getRunMetrics: { success: read('/metrics'), failure: unknownRun('GET', '/metrics') },
  getRunHistory: {
    success: read('/history?format=temporal'),
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: async (w) => w.ask('GET', `/api/v1/runs/${await completed(w)}/history?format=binary`),
    },
  },
  getRunPayload: {
    success: read('/payload?node=first'),
    failure: {
      status: 404,
      code: 'NODE_NOT_FOUND',
      ask: async (w) => w.ask('GET', `/api/v1/runs/${await completed(w)}/payload?node=third`),
    },
  },
  downloadRunPayload: {
    success: { status: 200, ask: async (w) => w.ask('GET', await payload(w)) },
    failure: {
      status: 404,
      code: 'PAYLOAD_NOT_FOUND',
      ask: async (w) => w.ask('GET', `/api/v1/runs/${await completed(w)}/payloads/${'0'.repeat(64)}`),
    },
  },
  getRunEvent: {
    success: read('/events/1'),
    failure: {
      status: 404,
      code: 'EVENT_NOT_FOUND',
      ask: async (w) => w.ask('GET', `/api/v1/runs/${await completed(w)}/events/4000`),
    },
  },
  listRunEvents: { success: read('/events?limit=2'), failure: unknownRun('GET', '/events?follow') },
  listEvents: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/events?limit=2') },
    failure: { status: 400, code: 'INVALID_INPUT', ask: (w) => w.ask('GET', '/api/v1/events?topic=weather') },
  },
  cancelRun: command('cancel', { reason: 'no longer needed' }),
  terminateRun: command('terminate', {}),
  pauseRun: command('pause', { reason: 'lunch' }),
  resumeRun: command('resume', {}),
  signalRun: command('signal', { name: 'go', payload: { by: 'ada' } }),
  approveRun: {
    success: {
      status: 202,
      ask: async (w) =>
        w.ask('POST', `/api/v1/runs/${await asking(w)}/approve`, { form: { amount: 3 }, comment: 'fine' }),
    },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: async (w) =>
        w.ask('POST', `/api/v1/runs/${await asking(w)}/approve`, { form: { amount: 'three' } }),
    },
  },
  rejectRun: {
    success: {
      status: 202,
      ask: async (w) =>
        w.ask('POST', `/api/v1/runs/${await asking(w)}/reject`, { approvalId: 'ask', comment: 'no' }),
    },
    failure: {
      status: 404,
      code: 'APPROVAL_NOT_FOUND',
      ask: async (w) => w.ask('POST', `/api/v1/runs/${await asking(w)}/reject`, { approvalId: 'other' }),
    },
  },
  resolveRun: {
    success: {
      status: 202,
      ask: async (w) => {
        const runId = await w.start('slow');
        await w.untilNode(runId, 'write', 'unknown_outcome');
        const answer = await w.ask('POST', `/api/v1/runs/${runId}/resolve`, {
          nodePath: 'write',
          resolution: 'completed',
          output: { done: true },
        });
        await w.until(runId, 'completed');
        return answer;
      },
    },
    failure: {
      status: 409,
      code: 'OUTCOME_KNOWN',
      ask: async (w) =>
        w.ask('POST', `/api/v1/runs/${await waiting(w)}/resolve`, { nodePath: 'hold', resolution: 'retry' }),
    },
  },
  answerRun: {
    success: {
      status: 202,
      ask: async (w) => {
        const runId = await questioned(w);
        const answer = await w.ask('POST', `/api/v1/runs/${runId}/input`, {
          nodePath: 'deploy',
          answer: { action: 'accept', content: { confirm: true } },
        });
        await w.until(runId, 'completed');
        return answer;
      },
    },
    failure: {
      status: 409,
      code: 'INPUT_NOT_EXPECTED',
      ask: async (w) =>
        w.ask('POST', `/api/v1/runs/${await waiting(w)}/input`, { answer: { action: 'decline' } }),
    },
  },
  retryRun: {
    success: { status: 201, ask: async (w) => w.ask('POST', `/api/v1/runs/${await failed(w)}/retry`, {}) },
    failure: {
      status: 409,
      code: 'NOTHING_TO_RETRY',
      ask: async (w) => w.ask('POST', `/api/v1/runs/${await completed(w)}/retry`, {}),
    },
  },
  rerunRun: {
    success: {
      status: 201,
      ask: async (w) => w.ask('POST', `/api/v1/runs/${await completed(w)}/rerun`, { nodeId: 'second' }),
    },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: async (w) => w.ask('POST', `/api/v1/runs/${await completed(w)}/rerun`, { nodeId: 'third' }),
    },
  },
  restartRun: {
    success: {
      status: 201,
      ask: async (w) =>
        w.ask('POST', `/api/v1/runs/${await failed(w)}/restart`, { version: 'latest', input: {} }),
    },
    failure: {
      status: 409,
      code: 'RUN_OPEN',
      ask: async (w) => w.ask('POST', `/api/v1/runs/${await waiting(w)}/restart`, {}),
    },
  },
  listTasks: {
    success: {
      status: 200,
      ask: async (w) => {
        await asking(w);
        const runId = await w.start('slow');
        await w.untilNode(runId, 'write', 'unknown_outcome');
        return w.ask('GET', '/api/v1/tasks');
      },
    },
    failure: { status: 400, code: 'INVALID_INPUT', ask: (w) => w.ask('GET', '/api/v1/tasks?cursor=1') },
  },
};
