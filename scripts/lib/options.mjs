/** Command line and environment of `npm start`, checked before anything is done. Node built-ins only. */

import { resolve } from 'node:path';
import { parseSettings, SETTINGS, unknownSettings } from '../../server/config/settings.mjs';
import { inRoot } from './paths.mjs';
import { Trouble } from './progress.mjs';

const FLAGS = new Map(
  SETTINGS.filter((setting) => setting.flag).map((setting) => [setting.flag, setting.name]),
);

/**
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 * @returns {{ help: boolean, rebuild: boolean, env: Record<string, string | undefined>, settings: any, warnings: string[] }}
 *   `env`: the environment with the flags in it; `settings`: the parsed values by key, paths absolute
 * @throws Trouble naming each wrong flag or setting
 */
export function readOptions(args, env) {
  const merged = { ...env };
  let help = false;
  let rebuild = false;
  /** @type {string[]} */
  const problems = [];
  for (let i = 0; i < args.length; i++) {
    const [flag = '', inline] = (args[i] ?? '').split(/=(.*)/s);
    const name = FLAGS.get(flag);
    if (flag === '--help' || flag === '-h') help = true;
    else if (flag === '--rebuild') rebuild = true;
    else if (name === undefined)
      problems.push(`There is no flag "${args[i]}" (npm start -- --help lists them).`);
    else {
      const value = inline ?? args[++i];
      if (value === undefined || value === '' || value.startsWith('--'))
        problems.push(`${flag} needs a value.`);
      else merged[name] = value;
    }
  }
  const { values, problems: wrong } = parseSettings(merged);
  problems.push(...wrong);
  if (problems.length > 0 && !help) throw new Trouble(problems.join('\n'));
  const settings = /** @type {Record<string, unknown>} */ (values);
  for (const { key, kind, name } of SETTINGS) {
    if (kind !== 'path') continue;
    // The server gets absolute paths: it must not matter where it is started.
    settings[key] = resolve(inRoot(), String(settings[key]));
    merged[name] = String(settings[key]);
  }
  const warnings = unknownSettings(env).map(
    (name) => `${name} is not a setting of OpenConductor and is ignored.`,
  );
  return { help, rebuild, env: merged, settings, warnings };
}
