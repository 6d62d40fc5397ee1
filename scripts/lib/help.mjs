/** The text of `npm start -- --help`, made from the table of settings. Node built-ins only. */
import { allowedText, SETTINGS } from '../../server/config/settings.mjs';

/** Breaks a text into lines of at most `width` characters. @param {string} text @param {number} width */
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1] ?? '';
    if (line.length > 0 && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line.length > 0 ? `${line} ${word}` : word;
  }
  return lines;
}

export function helpText() {
  const lines = [
    'npm start -- [flags]: installs what is missing, prepares the database, builds, and serves OpenConductor.',
    '',
    'Flags (each stands for the setting of the same meaning)',
    ...SETTINGS.filter((setting) => setting.flag).map(
      (setting) => `  ${`${setting.flag} VALUE`.padEnd(20)}${setting.name}`,
    ),
    '  --rebuild           builds even if no source has changed',
    '  --help              this text',
    '',
    'Settings (environment variables)',
  ];
  for (const setting of SETTINGS) {
    lines.push(`  ${setting.name}`);
    for (const line of wrap(setting.meaning, 92)) lines.push(`      ${line}`);
    lines.push(
      `      Default: ${setting.default === '' ? '(none)' : setting.default}. Allowed: ${allowedText(setting)}.`,
    );
  }
  return lines.join('\n');
}
