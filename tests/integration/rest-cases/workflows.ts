import type { Cases } from './case';
import { plainWorkflow } from './definitions';

/** Cases of the operations around workflows. */
export const workflowCases: Cases = {
  listWorkflows: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/workflows') },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', '/api/v1/workflows', undefined, { origin: 'https://evil.example' }),
    },
  },
  publishWorkflow: {
    success: {
      status: 201,
      ask: (w) => w.ask('POST', '/api/v1/workflows', plainWorkflow('published')),
    },
    failure: {
      status: 422,
      code: 'INVALID_DEFINITION',
      ask: (w) => w.ask('POST', '/api/v1/workflows', { ...plainWorkflow('broken'), nodes: [] }),
    },
  },
  validateWorkflow: {
    success: {
      status: 200,
      ask: (w) => w.ask('POST', '/api/v1/workflows/validate', { name: 'nothing else' }),
    },
    failure: {
      status: 400,
      code: 'INVALID_JSON',
      ask: (w) => w.ask('POST', '/api/v1/workflows/validate', '{"name"'),
    },
  },
  getWorkflow: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/workflows/plain') },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('GET', '/api/v1/workflows/plain?version=99'),
    },
  },
  putWorkflow: {
    success: {
      status: 201,
      ask: (w) => w.ask('PUT', '/api/v1/workflows/edited', plainWorkflow('edited'), { 'if-none-match': '*' }),
    },
    failure: {
      status: 412,
      code: 'VERSION_CONFLICT',
      ask: (w) => w.ask('PUT', '/api/v1/workflows/plain', plainWorkflow('plain'), { 'if-match': '"7-0"' }),
    },
  },
  listWorkflowVersions: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/workflows/plain/versions') },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('GET', '/api/v1/workflows/nope/versions'),
    },
  },
  getWorkflowVersion: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/workflows/plain/versions/1') },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (w) => w.ask('GET', '/api/v1/workflows/plain/versions/first'),
    },
  },
  planWorkflow: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/workflows/slow/plan') },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('GET', '/api/v1/workflows/nope/plan'),
    },
  },
  getWorkflowSharing: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/workflows/plain/sharing') },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('GET', '/api/v1/workflows/nope/sharing'),
    },
  },
  putWorkflowSharing: {
    success: {
      status: 200,
      ask: async (w) => {
        await w.ask('POST', '/api/v1/workflows', plainWorkflow('shared'));
        const { headers } = await w.ask('GET', '/api/v1/workflows/shared/sharing');
        const shares = [{ subject: 'everyone', level: 'write' }];
        const etag = headers.get('etag') ?? '';
        return w.ask(
          'PUT',
          '/api/v1/workflows/shared/sharing',
          { restricted: true, shares },
          { 'if-match': etag },
        );
      },
    },
    failure: {
      status: 412,
      code: 'VERSION_CONFLICT',
      ask: (w) =>
        w.ask(
          'PUT',
          '/api/v1/workflows/plain/sharing',
          { restricted: true, shares: [] },
          { 'if-match': '"v77"' },
        ),
    },
  },
};
