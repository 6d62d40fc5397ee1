import type { AlertRule } from '@/lib/protocol/alerts';
import type { Alert, AlertChanges, Measured } from '@/server/ports/alert-store';

/** A condition that holds now. */
interface Finding {
  rule: AlertRule;
  subject: string;
  message: string;
  value: number;
  threshold: number;
}

/**
 * One step of every alert of an organisation: ok → firing when a condition holds, firing → resolved when it has not held for
 * the time that the rules name. An alert whose condition comes back before that goes on firing.
 *
 * @param now epoch ms
 */
export function judge(measured: Measured, now: number, newId: () => string): AlertChanges {
  const found = new Map(findings(measured).map((finding) => [keyOf(finding), finding]));
  const changes: AlertChanges = { raised: [], resolved: [], updated: [] };
  const resolveAfterMs = measured.rules.resolveAfterSeconds * 1000;
  for (const alert of measured.firing) {
    const finding = found.get(keyOf(alert));
    found.delete(keyOf(alert));
    if (finding !== undefined) {
      changes.updated.push({ ...alert, ...finding, updatedAt: now, quietSince: null });
      continue;
    }
    const quietSince = alert.quietSince ?? now;
    if (now - quietSince >= resolveAfterMs) {
      changes.resolved.push({ ...alert, state: 'resolved', updatedAt: now, quietSince, resolvedAt: now });
    } else if (alert.quietSince === null) changes.updated.push({ ...alert, updatedAt: now, quietSince });
  }
  for (const finding of found.values()) {
    changes.raised.push({
      ...finding,
      id: newId(),
      organizationId: measured.organizationId,
      state: 'firing',
      raisedAt: now,
      updatedAt: now,
      quietSince: null,
      resolvedAt: null,
    });
  }
  return changes;
}

function keyOf({ rule, subject }: Pick<Alert, 'rule' | 'subject'>): string {
  return `${rule}\u0000${subject}`;
}

function findings({ rules, queued, closed, failed, openBreakers, unreachable }: Measured): Finding[] {
  const found: Finding[] = [];
  const queue = rules['queue-depth'];
  if (queue.enabled && queued > queue.above) {
    const message = `${queued} commands wait for an engine; the limit is ${queue.above}.`;
    found.push({ rule: 'queue-depth', subject: '', message, value: queued, threshold: queue.above });
  }
  const rate = rules['failure-rate'];
  const percent = closed === 0 ? 0 : (failed / closed) * 100;
  if (rate.enabled && failed >= rate.minimumFailures && percent > rate.abovePercent) {
    const shown = Math.round(percent * 10) / 10;
    found.push({
      rule: 'failure-rate',
      subject: '',
      message: `${failed} of ${closed} runs that closed within ${rate.minutes} min failed: ${shown} %; the limit is ${rate.abovePercent} %.`,
      value: shown,
      threshold: rate.abovePercent,
    });
  }
  if (rules['breaker-open'].enabled) {
    for (const server of new Set(openBreakers)) {
      const message = `The circuit breaker of server "${server}" is open: calls to it wait.`;
      found.push({ rule: 'breaker-open', subject: server, message, value: 1, threshold: 0 });
    }
  }
  const reach = rules['server-unreachable'];
  for (const { server, probes } of reach.enabled ? unreachable : []) {
    if (probes < reach.probes) continue;
    const message = `Server "${server}" did not answer ${probes} probe${probes === 1 ? '' : 's'} in a row.`;
    found.push({
      rule: 'server-unreachable',
      subject: server,
      message,
      value: probes,
      threshold: reach.probes,
    });
  }
  return found;
}
