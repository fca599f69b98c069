export { chain, type Send, type Verb } from './node';
