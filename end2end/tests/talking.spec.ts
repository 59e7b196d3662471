import { expect, test } from "../people";

test("ann and bob talk in both directions", async ({ ann, bob, room }) => {
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("hello bob");
  await bob.sees("hello bob");
  await bob.says("hello ann");
  await ann.sees("hello ann");
  await ann.seesAll(["hello bob", "hello ann"]);
  await bob.seesAll(["hello bob", "hello ann"]);
});
