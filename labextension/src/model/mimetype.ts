export const MIME_TYPE = 'application/vnd.zyg.graph.v1+json';
