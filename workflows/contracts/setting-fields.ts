import * as z from 'zod';
import { type CampaignSettings, settingsSchema } from './settings.ts';

/** The parts of a JSON Schema that our own schemas use. */
interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** How a person writes a value of the field. */
export type FieldShape = 'choice' | 'number' | 'choices' | 'texts' | 'object';

/** One campaign setting as help texts and messages speak of it. */
export interface SettingField {
  readonly name: keyof CampaignSettings;
  readonly description: string;
  readonly shape: FieldShape;
  /** Values to choose from, where the field or its items have a closed set. */
  readonly choices: readonly string[];
  /** Words for what would be right: "a whole number from 0 to 100000". */
  readonly accepts: string;
}

// Our own schema seen as plain data; the converter promises JSON Schema, whose used part SchemaNode names.
const root = z.toJSONSchema(settingsSchema) as SchemaNode;

/** What would be right at a path inside the settings, in words; null where the settings have no such path. */
export const acceptedAt = (path: readonly PropertyKey[]): string | null => {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    if (node === undefined) return null;
    node = typeof key === 'number' ? node.items : node.properties?.[String(key)];
  }
  return node === undefined ? null : describe(node);
};

const describe = (node: SchemaNode): string => {
  const variants = node.anyOf ?? node.oneOf;
  if (variants !== undefined) return variants.map(describe).join(' or ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number from ${node.minimum ?? '-∞'} to ${node.maximum ?? '∞'}`;
    case 'number':
      return `a number ${node.exclusiveMinimum === undefined ? `from ${node.minimum ?? '-∞'}` : `above ${node.exclusiveMinimum}`} up to ${node.maximum ?? '∞'}`.replace(
        ' up to ∞',
        '',
      );
    case 'string':
      if (node.description !== undefined) return node.description;
      return node.maxLength === undefined
        ? 'a text that is not empty'
        : `a text of ${node.minLength ?? 0} to ${node.maxLength} characters`;
    case 'array':
      return `a list of ${node.minItems ?? 0} to ${node.maxItems ?? 'any number of'} items, each ${describe(node.items ?? {})}`;
    case 'object':
      return `{${Object.entries(node.properties ?? {})
        .map(([name, property]) => `"${name}":${property.const === undefined ? '"..."' : JSON.stringify(property.const)}`)
        .join(',')}}`;
    default:
      return node.type ?? 'another value';
  }
};

const shapeOf = (node: SchemaNode): FieldShape => {
  if (node.enum !== undefined) return 'choice';
  if (node.type === 'array') return node.items?.enum === undefined ? 'texts' : 'choices';
  if (node.type === 'integer' || node.type === 'number') return 'number';
  return node.anyOf?.some(({ type }) => type === 'number') ? 'number' : 'object';
};

/** Every field of the settings, in the order of the schema. */
export const settingFields: readonly SettingField[] = Object.entries(root.properties ?? {}).map(([name, node]) => ({
  name: name as keyof CampaignSettings, // Keys of the schema that the type comes from.
  description: node.description ?? '',
  shape: shapeOf(node),
  choices: node.enum ?? node.items?.enum ?? [],
  accepts: describe(node),
}));
