import { type Document, isCollection, isMap, isSeq, parseDocument } from 'yaml';
import type { JsonObject } from '../values/json.ts';
import type { DocumentPath } from './problems.ts';

/**
 * A YAML file that a program changes and people go on writing: comments, order and quotes of all that is not changed
 * stay. Indentation may become two spaces a level, and a comment beside a key whose value begins on the next line goes
 * there too. JSON stays JSON.
 *
 * Says nothing of whether the outcome means what was wanted: whoever writes it reads it again first.
 */
export interface YamlEditor {
  /** Adds to the end of a list, and makes the list where there is none. */
  append(path: DocumentPath, entry: JsonObject): void;
  set(path: DocumentPath, value: string): void;
  /** Takes a value out, with the comments that stand above it and beside it. */
  remove(path: DocumentPath): void;
  /** @throws Error where what was removed is referred to from elsewhere */
  text(): string;
}

/**
 * @param text undefined or empty: a new file
 * @throws Error where the text is not one well-formed document
 */
export function editYaml(text: string | undefined): YamlEditor {
  const document: Document = parseDocument(text ?? '', {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    strict: true,
    prettyErrors: false,
  });
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(fault.message);
  const json = /^\s*\{/.test(text ?? '');

  return {
    append(path, entry) {
      const node = document.createNode(entry);
      const list = path.length === 0 ? document.contents : document.getIn(path, true);
      if (!isSeq(list)) {
        document.setIn(path, document.createNode([entry]));
        return;
      }
      // `keys: []` is how an empty list must be written; what comes into it stands better on lines of its own.
      if (list.items.length === 0 && isMap(document.contents) && document.contents.flow !== true) {
        list.flow = false;
      }
      list.items.push(node);
    },
    set: (path, value) => document.setIn(path, value),
    remove: (path) => void document.deleteIn(path),
    text() {
      const style = json ? ('QUOTE_DOUBLE' as const) : ('PLAIN' as const);
      if (isCollection(document.contents) && json) document.contents.flow = true;
      return document.toString({ lineWidth: 0, defaultStringType: style, defaultKeyType: style });
    },
  };
}
