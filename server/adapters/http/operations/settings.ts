import {
  instanceSettingsSchema,
  patchSettingsBodySchema,
  type Settings,
  settingsSchema,
} from '@/lib/protocol/settings';
import { numberedEtag, numberMatched } from '@/server/adapters/http/etag';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { SettingsService } from '@/server/services/settings-service';

const BASE = '/api/v1/settings';
const tag = 'settings';

function answer(settings: Settings) {
  return { status: 200, body: settings, headers: { etag: numberedEtag(settings.version) } };
}

/** Operations on the settings of the organisation, and a look at those of the process. */
export function settingsOperations(settings: SettingsService): Operation[] {
  return [
    operation({
      id: 'getSettings',
      tag,
      method: 'GET',
      path: BASE,
      summary: 'Read every setting with its value and where that comes from.',
      permission: 'settings:read',
      answers: answers(200, 'The settings that hold now.', settingsSchema, ['ETag']),
      errors: [],
      handle: async ({ actor }) => answer(await settings.get(actor)),
    }),
    operation({
      id: 'changeSettings',
      tag,
      method: 'PATCH',
      path: BASE,
      summary: 'Change settings of the organisation.',
      description:
        'Only the settings that are named change; null takes the organisation’s own value away. With If-Match it is refused when ' +
        'somebody else has changed them since. Other processes follow within two seconds.',
      permission: 'settings:write',
      body: patchSettingsBodySchema,
      headers: ['If-Match'],
      answers: answers(200, 'The settings that hold now.', settingsSchema, ['ETag']),
      errors: ['SETTING_NOT_FOUND', 'VERSION_CONFLICT'],
      handle: async ({ actor, body, headers }) =>
        answer(await settings.change(actor, body.values, numberMatched(headers))),
    }),
    operation({
      id: 'getInstanceSettings',
      tag,
      method: 'GET',
      path: `${BASE}/instance`,
      summary: 'Read the settings of the process: its environment variables, secrets masked.',
      permission: 'settings:write',
      answers: answers(200, 'Every variable that means something.', instanceSettingsSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: { items: [...settings.instance(actor)] } }),
    }),
  ];
}
