import type { InstanceSetting } from '@/lib/protocol/settings';
import type { Json } from '@/lib/shared/json';
import type { Config } from '@/server/config/config';
import { allowedText, printable, SETTINGS } from './settings.mjs';

/** Names of variables whose values nobody gets to see. */
const SECRET = /KEY|SECRET|TOKEN|PASSWORD|HEADERS/;

/** Every setting of this process with its value; those of secrets say only whether they are set. */
export function instanceSettings(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): InstanceSetting[] {
  return SETTINGS.map((setting) => {
    const value = (config as unknown as Record<string, Json | undefined>)[setting.key] ?? null;
    const masked = SECRET.test(setting.name);
    const isSet = (env[setting.name] ?? '').trim() !== '';
    const shown = masked
      ? value === null || value === ''
        ? null
        : '***'
      : typeof value === 'string'
        ? withoutCredentials(printable(setting, value))
        : value;
    return {
      name: setting.name,
      value: shown,
      source: isSet ? 'environment' : 'default',
      masked,
      description: `${setting.meaning} Takes ${allowedText(setting)}.`,
    };
  });
}

/** URLs may carry a password among their parameters, too. */
function withoutCredentials(text: string): string {
  return text.replace(/([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&]*/gi, '$1***');
}
