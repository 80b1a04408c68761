package store

import "github.com/berthhq/berth/domain/identity"

// Accounts by id. An account that was never changed has no record.
var Accounts = &Table[identity.Account]{
	ID: accounts, Noun: "account", Schema: 1,
	Primary: func(a *identity.Account) string { return a.ID },
}

// RoleDeletions by id.
var RoleDeletions = &Table[identity.RoleDeletion]{
	ID: roleDeletions, Noun: "role-deletion", Schema: 1,
	Primary: func(d *identity.RoleDeletion) string { return d.ID },
}

// AccessReports by id.
var AccessReports = &Table[identity.AccessReport]{
	ID: accessReports, Noun: "access-report", Schema: 1,
	Primary: func(r *identity.AccessReport) string { return r.ID },
}
