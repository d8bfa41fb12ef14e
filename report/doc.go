// Package report makes one HTML page of a dataset: what it holds, how sure the model was and how right, how the run went, and
// a list of the records to search and filter. Call [Write].
//
// The page needs nothing but itself: charts are SVG made here, the records lie in it compressed, and a Content-Security-Policy
// forbids every request. Records are read once, as a stream. Counts take the same memory however many there are, and what the page
// holds of a record is written as soon as a block of them is full.
//
// Text from records reaches the page in two ways only: through html/template, or as gzip in base64, which the page's script
// unpacks and sets as text content. Neither can end an element or begin one.
package report
