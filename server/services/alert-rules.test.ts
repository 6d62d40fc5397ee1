import { describe, expect, it } from 'vitest';
import { alertRulesSchema, USUAL_ALERT_RULES } from '@/lib/protocol/alerts';
import type { Alert, Measured } from '@/server/ports/alert-store';
import { judge } from '@/server/services/alert-rules';

const calm: Measured = {
  organizationId: 'org',
  rules: USUAL_ALERT_RULES,
  queued: 0,
  closed: 0,
  failed: 0,
  openBreakers: [],
  unreachable: [],
  firing: [],
};
let made = 0;
const newId = () => `a${++made}`;
const raised = (more: Partial<Measured>) =>
  judge({ ...calm, ...more }, 1_000, newId).raised.map(({ rule, subject }) => [rule, subject]);

describe('when something is wrong', () => {
  it('the queue is deeper than its limit', () => {
    expect(raised({ queued: 10_000 })).toEqual([]);
    expect(raised({ queued: 10_001 })).toEqual([['queue-depth', '']]);
  });

  it('more than a tenth of the runs failed, and not just a few', () => {
    expect(raised({ closed: 100, failed: 10 })).toEqual([]);
    expect(raised({ closed: 100, failed: 11 })).toEqual([['failure-rate', '']]);
    expect(raised({ closed: 2, failed: 2 })).toEqual([]);
    expect(raised({ closed: 3, failed: 3 })).toEqual([['failure-rate', '']]);
  });

  it('a breaker is open; a server did not answer twice', () => {
    expect(raised({ openBreakers: ['a', 'b', 'a'] })).toEqual([
      ['breaker-open', 'a'],
      ['breaker-open', 'b'],
    ]);
    expect(
      raised({
        unreachable: [
          { server: 'a', probes: 1 },
          { server: 'b', probes: 2 },
        ],
      }),
    ).toEqual([['server-unreachable', 'b']]);
  });

  it('thresholds are the organisation’s, and a rule can be off', () => {
    const rules = alertRulesSchema.parse({
      'queue-depth': { above: 5 },
      'failure-rate': { abovePercent: 50, minimumFailures: 1 },
      'breaker-open': { enabled: false },
      'server-unreachable': { probes: 1 },
    });
    const wrong = {
      queued: 6,
      closed: 2,
      failed: 1,
      openBreakers: ['a'],
      unreachable: [{ server: 'b', probes: 1 }],
    };
    expect(raised({ ...wrong, rules })).toEqual([
      ['queue-depth', ''],
      ['server-unreachable', 'b'],
    ]);
  });
});

describe('ok → firing → resolved', () => {
  const begin = () => judge({ ...calm, queued: 20_000 }, 1_000, newId).raised[0] as Alert;

  it('goes on firing with new figures while it holds, without being raised anew', () => {
    const alert = begin();
    const next = judge({ ...calm, queued: 30_000, firing: [alert] }, 2_000, newId);
    expect([next.raised, next.resolved]).toEqual([[], []]);
    expect(next.updated).toMatchObject([{ id: alert.id, value: 30_000, raisedAt: 1_000, updatedAt: 2_000 }]);
  });

  it('is resolved when it was quiet for as long as the rules say', () => {
    const alert = begin();
    const quiet = judge({ ...calm, firing: [alert] }, 2_000, newId).updated[0] as Alert;
    expect(quiet).toMatchObject({ state: 'firing', quietSince: 2_000 });
    const still = judge({ ...calm, firing: [quiet] }, 61_999, newId);
    expect(still).toEqual({ raised: [], resolved: [], updated: [] });
    const over = judge({ ...calm, firing: [quiet] }, 62_000, newId).resolved;
    expect(over).toMatchObject([{ id: alert.id, state: 'resolved', resolvedAt: 62_000 }]);
  });

  it('is the same alert when the condition comes back before that', () => {
    const quiet = judge({ ...calm, firing: [begin()] }, 2_000, newId).updated[0] as Alert;
    const back = judge({ ...calm, queued: 20_000, firing: [quiet] }, 30_000, newId);
    expect(back.raised).toEqual([]);
    expect(back.updated).toMatchObject([{ id: quiet.id, quietSince: null }]);
  });

  it('is resolved at once when the rule is switched off and no patience is asked for', () => {
    const rules = alertRulesSchema.parse({ 'queue-depth': { enabled: false }, resolveAfterSeconds: 0 });
    const over = judge({ ...calm, rules, queued: 20_000, firing: [begin()] }, 2_000, newId);
    expect(over.resolved).toHaveLength(1);
  });
});
