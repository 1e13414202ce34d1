// Package advise tells which way of moving a table into the lake fits: full exports,
// incremental exports or the stream. It is pure: it knows no AWS client, file or
// clock, and the same facts give the same advice.
//
// # How the advice comes about
//
// [Weigh] multiplies how well each pattern does in five dimensions ([Scores]) by how
// much each of these matters to the asker ([Importance]). The sum is an opinion about
// what matters, not about the table. So two things stand beside it and are never
// mixed into the points:
//
//	findings  what the table's facts rule out, whatever the points, and what must be known or done first
//	costs     what AWS bills for each pattern in a month, line by line, with its inputs
//
// [New] puts them together. It recommends the pattern with most points among those
// that are not ruled out; a tie is told as one.
//
// # What is not known
//
// A [Fact] says where it comes from, and an unknown one says why. A cost that needs an
// unknown fact has no amount; it is never taken for zero, and the sum says
// what it lacks. What is estimated is called that.
//
// # Where the scores come from
//
// The dimensions, the patterns and one example are those of the guide that this
// project follows: importance 5, 4, 3, 4, 3 gives 48, 64 and 70. Its scores are not at hand.
// Those here are ours, each with its reason, and give the same sums.
package advise
