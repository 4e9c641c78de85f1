package lifecycle

import "runtime/debug"

// Version is set by the linker (-X); without it [BuildVersion] falls back to
// what the go command recorded.
var Version = undefinedVersion

const undefinedVersion = "dev"

// BuildVersion returns the version of this program: Version, else the module's,
// else dev with the commit it was built from.
func BuildVersion() string {
	if Version != undefinedVersion {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version
	}
	return versionFrom(info)
}

func versionFrom(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && setting.Value != "" {
			return undefinedVersion + "-" + setting.Value[:min(len(setting.Value), 12)]
		}
	}
	return undefinedVersion
}
