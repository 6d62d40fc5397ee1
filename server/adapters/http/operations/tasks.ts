import { listTasksQuerySchema, taskPageSchema } from '@/lib/protocol/api-runs';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { TaskPresenter } from '@/server/presenters/task-presenter';

/** What waits for people. */
export function taskOperations({ tasks }: { tasks: TaskPresenter }): Operation[] {
  return [
    operation({
      id: 'listTasks',
      tag: 'tasks',
      method: 'GET',
      path: '/api/v1/tasks',
      summary:
        'List what waits for people: open questions and calls with unknown outcome, over all open runs.',
      description:
        'Newest run first. All tasks of one run are on one page, so a page can be longer than `limit`.',
      permission: 'tasks:read',
      query: listTasksQuerySchema,
      answers: answers(200, 'One page.', taskPageSchema),
      errors: [],
      handle: async ({ actor, query }) => ({
        status: 200,
        body: await tasks.list(actor, query.kind, query.limit, query.cursor ?? null),
      }),
    }),
  ];
}
