// Package fields calls every operation of ECS with every field of its model, by
// AWS's own Go client and by boto3, against a running berth, and keeps the result:
// fields.tsv, from which docs/compatibility.md says what works. `go test . -update`
// writes it anew; without, the test holds berth against it.
//
// The calls stand in testdata/*.txt. A line at the margin that begins with a
// capital is an operation; JSON follows, as the AWS CLI takes it, and then what is
// expected:
//
//	echo PATH [of OPERATION] [from FIELD]  the request is shown there in the answer
//	want PATH JSON      what is there is so: lists as long, objects with more, * for any
//	has PATH JSON       the list there has such an item
//	wait PATH JSON      want, asking again until it is so
//	none PATH           nothing is there
//	save PATH NAME      $NAME stands for what is there from now on
//	joins PATH          an agent that says nothing connects as the instance there
//	fails CODE MESSAGE  the call is refused; the message is a pattern
//	works [OPERATION] FIELD...    the expectations of this call show the effect of the fields,
//	                              and so does a refusal of what they say
//	noop [OPERATION] FIELD...: REASON  the fields are taken and have none
//	newer               only a client of the newest model can say this
//	refused FIELD...    these fields are why the call is refused
//
// A PATH is of members and positions, such as tasks[0].taskArn, or . for the whole;
// a FIELD is of members, such as tags[].key, and * stands for any part of it. A field
// shown by echo works, unless states.txt says that it is kept without effect.
//
// It is a module of its own, so that the main one does not carry the clients.
package fields
