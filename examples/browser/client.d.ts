/** The client of a build names it for Node.js, where it finds the model beside itself. */
interface ImportMeta {
  readonly dirname: string;
}
