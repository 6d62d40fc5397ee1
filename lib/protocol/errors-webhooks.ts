/** Errors of webhooks: part of the catalogue in errors.ts, which says what the fields are. */
export const WEBHOOK_ERRORS = {
  WEBHOOK_NOT_FOUND: {
    next: 'List the addresses with `openconductor hook list`, the subscriptions with `openconductor webhook list`.',
    retriable: false,
    httpStatus: 404,
  },
  WEBHOOK_EXISTS: {
    next: 'Choose another name, or change it with `openconductor hook edit` or `openconductor webhook edit`.',
    retriable: false,
    httpStatus: 409,
  },
  WEBHOOK_DISABLED: {
    next: 'Ask whoever gave you the address to switch the webhook on.',
    retriable: false,
    httpStatus: 410,
  },
  WEBHOOK_SIGNATURE_INVALID: {
    next: 'Sign the bytes of the body with the secret of the webhook; docs/webhooks.md shows how.',
    retriable: false,
    httpStatus: 401,
  },
  WEBHOOK_TOO_OLD: {
    next: 'Sign anew with the present time (webhook-timestamp, seconds), and check your clock.',
    retriable: false,
    httpStatus: 401,
  },
  DELIVERY_NOT_FOUND: {
    next: 'List the deliveries of the webhook; old ones are not kept.',
    retriable: false,
    httpStatus: 404,
  },
} as const;
