import { alertRulesSchema, alertSchema, listAlertsQuerySchema } from '@/lib/protocol/alerts';
import { pageSchema } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import { revisionTag, seenRevision } from '@/server/adapters/http/revision-tag';
import type { AlertService } from '@/server/services/alert-service';

const tag = 'alerts';
const RULES = '/api/v1/alerts/rules';

/** Operations around alerts. */
export function alertOperations(alerts: AlertService): Operation[] {
  return [
    operation({
      id: 'listAlerts',
      tag,
      method: 'GET',
      path: '/api/v1/alerts',
      summary: 'List alerts, newest first: those that are firing and those that were.',
      description:
        'Follow them live as topic `alerts` of `/api/v1/events`. Resolved ones are kept for 90 days.',
      permission: 'alerts:read',
      query: listAlertsQuerySchema,
      answers: answers(200, 'One page.', pageSchema(alertSchema)),
      errors: [],
      handle: async ({ actor, query }) => ({ status: 200, body: await alerts.list(actor, query) }),
    }),
    operation({
      id: 'getAlertRules',
      tag,
      method: 'GET',
      path: RULES,
      summary: 'Read from when on something counts as wrong.',
      permission: 'alerts:read',
      answers: answers(200, 'The rules with their thresholds.', alertRulesSchema, ['ETag']),
      errors: [],
      handle: async ({ actor }) => {
        const { rules, revision } = await alerts.rules(actor);
        return { status: 200, body: rules, headers: { etag: revisionTag(revision) } };
      },
    }),
    operation({
      id: 'replaceAlertRules',
      tag,
      method: 'PUT',
      path: RULES,
      summary: 'Set the rules; what is left out gets its usual value.',
      description:
        'If-Match says which version was edited. The rules hold from the next look on, within 15 s.',
      permission: 'alerts:write',
      body: alertRulesSchema,
      headers: ['If-Match'],
      answers: answers(200, 'The rules.', alertRulesSchema, ['ETag']),
      errors: ['VERSION_CONFLICT', 'PRECONDITION_REQUIRED'],
      handle: async ({ actor, body, headers }) => {
        const given = headers.get('if-match');
        if (given === null) {
          throw new AppError('PRECONDITION_REQUIRED', 'Say which version of the rules you have edited.', {
            path: '/headers/if-match',
          });
        }
        const seen = seenRevision(headers) ?? (await alerts.rules(actor)).revision;
        const { rules, revision } = await alerts.setRules(actor, body, seen);
        return { status: 200, body: rules, headers: { etag: revisionTag(revision) } };
      },
    }),
  ];
}
