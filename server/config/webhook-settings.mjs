/** Settings of webhooks and alerts: part of the table in settings.mjs. */

/** @type {readonly import('./settings.mjs').Setting[]} */
export const WEBHOOK_SETTINGS = [
  {
    name: 'OPENCONDUCTOR_WEBHOOK_TIMEOUT_MS',
    key: 'webhookTimeoutMs',
    kind: 'integer',
    default: '15000',
    min: 100,
    max: 120_000,
    unit: 'ms',
    meaning: 'How long the receiver of a webhook may take to answer.',
  },
  {
    name: 'OPENCONDUCTOR_WEBHOOK_RETRY_MS',
    key: 'webhookRetryMs',
    kind: 'integer',
    default: '5000',
    min: 10,
    max: 3_600_000,
    unit: 'ms',
    meaning: 'Wait before a failed webhook is sent again; it triples each time, up to six hours.',
  },
  {
    name: 'OPENCONDUCTOR_WEBHOOK_DISABLE_AFTER_MS',
    key: 'webhookDisableAfterMs',
    kind: 'integer',
    default: String(48 * 3_600_000),
    min: 100,
    max: 365 * 86_400_000,
    unit: 'ms',
    meaning: 'A webhook that has failed for this long without a single success is switched off.',
  },
  {
    name: 'OPENCONDUCTOR_ALERT_INTERVAL_MS',
    key: 'alertIntervalMs',
    kind: 'integer',
    default: '10000',
    min: 100,
    max: 15_000,
    unit: 'ms',
    meaning: 'How often the rules of alerts are looked at.',
  },
];
