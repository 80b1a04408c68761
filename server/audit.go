package server

import (
	"log/slog"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/berthhq/berth/protocol/trail"
)

// The audit keeps a line for each request: at most so many files of so many MB.
const (
	auditMB    = 64
	auditFiles = 8
)

// AuditFile is its name below the data folder; those before it carry a time in
// their names.
const AuditFile = "audit.log"

// openAudit opens DATA/audit.log (mode 0600): who asked for what, and what came of
// it, as CloudTrail writes it, with secrets left out. Of reads, failed ones are there.
func (s *Server) openAudit() *slog.Logger {
	file := &lumberjack.Logger{Filename: filepath.Join(s.Data, AuditFile), MaxSize: auditMB, MaxBackups: auditFiles}
	s.audit = file
	return trail.NewLogger(file, slog.LevelInfo)
}
