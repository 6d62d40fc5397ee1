import { parseDocument, stringify } from 'yaml';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

/** Longest definition text that is read, in characters. */
export const MAX_DEFINITION_TEXT = 2_000_000;

/**
 * JSON or YAML text of a definition as a JSON value (JSON is YAML too). Not checked further: that is the validator's part.
 * Throws AppError INVALID_INPUT with line and column of the fault in `details`, or PAYLOAD_TOO_LARGE.
 */
export function parseDefinitionText(text: string): Json {
  if (text.length > MAX_DEFINITION_TEXT) {
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `The definition is longer than ${MAX_DEFINITION_TEXT} characters.`,
    );
  }
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    logLevel: 'silent',
  });
  const fault = document.errors[0];
  if (fault !== undefined) {
    const place = fault.linePos?.[0];
    const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`;
    throw new AppError(
      'INVALID_INPUT',
      `The text is neither YAML nor JSON${where}: ${fault.message.split('\n')[0]}`,
      {
        ...(place === undefined ? {} : { details: { line: place.line, column: place.col } }),
      },
    );
  }
  try {
    // Aliases may be used, but not to blow a small text up into a huge value.
    return document.toJS({ maxAliasCount: 50 }) as Json;
  } catch (error) {
    throw new AppError('INVALID_INPUT', 'The YAML uses too many aliases.', { cause: error });
  }
}

/** A definition as YAML text, keys in their own order. Reading it again gives the same value. */
export function toYaml(definition: Json): string {
  return stringify(definition, { lineWidth: 100, aliasDuplicateObjects: false });
}
