import type { MessageRow } from '../messages.ts';

export const nameMessages = {
  CROB2001: {
    severity: 'error',
    title: 'Unknown name',
    template: 'there is no `{name}` here',
    explanation: '',
    example: '',
  },
  CROB2002: {
    severity: 'error',
    title: 'Unknown import',
    template: '`{path}` has no `{name}`',
    explanation: '',
    example: '',
  },
  CROB2003: {
    severity: 'error',
    title: 'File not found',
    template: 'there is no file for `use {path}`: {file}',
    explanation: '',
    example: '',
  },
  CROB2004: {
    severity: 'error',
    title: 'Declared twice',
    template: '`{name}` is declared twice',
    explanation: '',
    example: '',
  },
  CROB2005: {
    severity: 'error',
    title: 'Unknown member',
    template: '{what} has no `{name}`',
    explanation: '',
    example: '',
  },
  CROB2008: {
    severity: 'error',
    title: 'The wrong kind of thing',
    template: '`{name}` is a {actual}, where {expected} is wanted',
    explanation: '',
    example: '',
  },
  CROB2009: {
    severity: 'error',
    title: 'Unknown parameter',
    template: '{callee} has no parameter `{name}`',
    explanation: '',
    example: '',
  },
  CROB2010: {
    severity: 'error',
    title: 'Missing argument',
    template: '{callee} needs `{name}`',
    explanation: '',
    example: '',
  },
  CROB2011: {
    severity: 'error',
    title: 'Too many arguments',
    template: '{callee} takes {count} arguments by position, and {given} are given',
    explanation: '',
    example: '',
  },
  CROB2012: {
    severity: 'error',
    title: 'Argument given twice',
    template: '`{name}` is given twice',
    explanation: '',
    example: '',
  },
} as const satisfies Record<string, MessageRow>;
