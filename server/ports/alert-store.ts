import type { AlertRule, AlertRules, AlertState } from '@/lib/protocol/alerts';
import type { NewDelivery, Subscription } from '@/server/ports/webhook-out-store';

/** An alert. Times in epoch milliseconds. */
export interface Alert {
  id: string;
  organizationId: string;
  rule: AlertRule;
  /** '' for the whole organisation, else the name of a server. */
  subject: string;
  state: AlertState;
  message: string;
  value: number;
  threshold: number;
  raisedAt: number;
  updatedAt: number;
  /** Since when its condition no longer holds. */
  quietSince: number | null;
  resolvedAt: number | null;
}

/** What was measured in an organisation at one moment. */
export interface Measured {
  organizationId: string;
  rules: AlertRules;
  /** Commands that wait for an engine. */
  queued: number;
  /** Runs that closed within the window of the rule. */
  closed: number;
  failed: number;
  /** Servers whose breaker is open somewhere. */
  openBreakers: string[];
  /** Servers by the number of their latest probes in a row that found nothing. */
  unreachable: { server: string; probes: number }[];
  firing: Alert[];
}

/** What a round changes. */
export interface AlertChanges {
  raised: Alert[];
  resolved: Alert[];
  /** Go on firing, with new figures or a new `quietSince`. */
  updated: Alert[];
}

/** A breaker that this process sees open. */
export interface OpenBreaker {
  organizationId: string;
  server: string;
}

export interface StoredRules {
  rules: AlertRules;
  /** 0 while they are the usual ones. */
  revision: number;
}

/** Alerts as people read them, within one organisation. */
export interface AlertStore {
  /** Newest first, behind the alert `before`. */
  list(
    organizationId: string,
    query: { limit: number; before: string | null; state: AlertState | null },
  ): Promise<Alert[]>;
  rules(organizationId: string): Promise<StoredRules>;
  /** Null when the revision is another one by now. */
  setRules(
    organizationId: string,
    rules: AlertRules,
    seenRevision: number,
    by: string,
  ): Promise<StoredRules | null>;
}

/** Alerts as the watch works on them, across organisations. */
export interface AlertBoard {
  /** Says which breakers this process sees open; what it said before no longer counts. */
  report(reporter: string, breakers: readonly OpenBreaker[]): Promise<void>;
  /**
   * One round over every organisation, unless somebody else is at it or has been within `everyMs`. Changes, stream entries
   * and deliveries are stored together. Gives what changed; null when it was not our turn.
   */
  round(
    everyMs: number,
    judge: (measured: Measured, now: number) => AlertChanges,
    tell: (alert: Alert, subscriptions: readonly Subscription[]) => NewDelivery[],
  ): Promise<{ organizationId: string; seq: number }[] | null>;
  /** Removes what was resolved more than `days` ago. */
  forget(days: number): Promise<number>;
}
