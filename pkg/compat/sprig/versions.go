package sprig

import "github.com/Masterminds/semver/v3"

var versionFunctions = map[string]spec{
	"semverCompare": {"ss", KindBool, semverCompare},
}

func semverCompare(a args) (any, error) {
	constraint, err := semver.NewConstraint(a.text(0))
	if err != nil {
		return nil, refuse("the first argument is not a constraint on versions")
	}
	version, err := semver.NewVersion(a.text(1))
	if err != nil {
		return nil, refuse("the second argument is not a version")
	}
	return constraint.Check(version), nil
}
