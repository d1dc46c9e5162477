// Prints, for each AsyncAPI document in the files given, what the specification's own parser read and what it found wrong.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const ids = (collection) => collection.all().map((each) => each.id());

async function read(path) {
  const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf-8"));
  return {
    channels: document && ids(document.channels()),
    operations: document && ids(document.operations()),
    messages: document && ids(document.components().messages()),
    faults: diagnostics.map(({ code, path, message }) => ({ code, place: path.join("/"), message })),
  };
}

console.log(JSON.stringify(await Promise.all(process.argv.slice(2).map(read))));
