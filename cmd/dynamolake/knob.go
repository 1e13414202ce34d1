package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// knob is one setting as an operator sees it.
type knob struct {
	Flag     string   `json:"flag"`
	Variable string   `json:"variable"`
	Value    string   `json:"value"`
	Source   string   `json:"source"`
	Kind     string   `json:"kind"`
	Unit     string   `json:"unit,omitempty"`
	Default  string   `json:"default"`
	Least    string   `json:"least,omitempty"`
	Most     string   `json:"most,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Required bool     `json:"required"`
	Secret   bool     `json:"secret"`
	Usage    string   `json:"usage"`
	Story    string   `json:"story"`
}

// What is shown in place of a secret.
const (
	secretSet   = "(set)"
	secretUnset = "(not set)"
)

// knobOf describes a setting of a command.
func knobOf(command string, f *pflag.Flag) knob {
	v := f.Value.(*value)
	told := storyOf(command, f.Name)
	k := knob{
		Flag: "--" + f.Name, Variable: envName(f.Name), Value: v.text, Source: sourceDefault,
		Kind: v.kind, Unit: told.unit, Default: f.DefValue, Least: v.least, Most: v.most, Choices: v.choices,
		Required: v.needed, Secret: v.hidden, Usage: strings.TrimSuffix(f.Usage, " (required)"), Story: told.when,
	}
	switch {
	case len(v.choices) > 0:
		k.Kind = "choice"
	case v.kind == "bool":
		k.Choices = []string{"true", "false"}
	case v.kind == "duration":
		if d, err := time.ParseDuration(k.Default); err == nil {
			k.Default = shortDuration(d)
		}
	}
	switch {
	case f.Changed:
		k.Source = sourceFlag
	case v.fromEnv:
		k.Source = sourceVariable
	}
	if v.hidden {
		k.Default = ""
		if k.Value = secretUnset; v.text != "" {
			k.Value = secretSet
		}
	}
	return k
}

// limits says what a setting may be.
func (k knob) limits() string {
	switch {
	case len(k.Choices) > 0:
		return strings.Join(k.Choices, ", ")
	case k.Least != "" && k.Most != "":
		return k.Least + " to " + k.Most
	case k.Kind == "address":
		return "s3://... or file:///..."
	}
	return "any"
}

// same tells whether two commands mean the same by a setting.
func (k knob) same(other knob) bool {
	return k.Kind == other.Kind && k.Default == other.Default && k.Least == other.Least && k.Most == other.Most &&
		slices.Equal(k.Choices, other.Choices) && k.Required == other.Required && k.Usage == other.Usage && k.Story == other.Story
}
