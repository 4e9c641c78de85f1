// Package abnf owns the terminals that the grammars of RFC 8839 (candidates) and
// RFC 8866 (descriptions) share. Each function takes the whole field and says
// whether it is one; none skips space, folds case or accepts more than the
// grammar names.
package abnf
