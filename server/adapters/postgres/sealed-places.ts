/**
 * Every place of the database that holds sealed values, with the context that a value is sealed in there. Stores and the
 * rotation of the key both go by this list; a test compares it with the columns that the database has.
 */
export interface SealedPlace {
  table: string;
  column: string;
  /** The columns that name a row within its organisation. */
  keys: readonly string[];
  context(organizationId: string, keys: readonly string[]): string;
}

/** Lines of a context: what it is, whose it is, its name. */
function place(kind: string, last = '') {
  return (organizationId: string, keys: readonly string[]) =>
    [kind, organizationId, ...keys, ...(last === '' ? [] : [last])].join('\n');
}

export const secretContext = place('secret');
export const personalSecretContext = place('personal-secret');
export const oauthContext = place('oauth');
export const webhookInContext = place('webhook-in');
export const webhookUrlContext = place('webhook-out', 'url');
export const webhookSecretContext = place('webhook-out', 'secret');
/** Of the instance, in `seal_state`. */
export const IDENTITY_CONTEXT = 'identity';

export const SEALED_PLACES: readonly SealedPlace[] = [
  { table: 'secret', column: 'sealed', keys: ['name'], context: secretContext },
  { table: 'personal_secret', column: 'sealed', keys: ['user_id', 'name'], context: personalSecretContext },
  { table: 'oauth_record', column: 'sealed', keys: ['server', 'subject'], context: oauthContext },
  { table: 'webhook_in', column: 'secret_sealed', keys: ['id'], context: webhookInContext },
  { table: 'webhook_in', column: 'previous_sealed', keys: ['id'], context: webhookInContext },
  { table: 'webhook_out', column: 'url_sealed', keys: ['id'], context: webhookUrlContext },
  { table: 'webhook_out', column: 'secret_sealed', keys: ['id'], context: webhookSecretContext },
  { table: 'webhook_out', column: 'previous_sealed', keys: ['id'], context: webhookSecretContext },
];
