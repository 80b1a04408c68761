package server

import (
	"log/slog"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"
)

// The audit keeps a line for each request: at most so many files of so many MB.
const (
	auditMB    = 64
	auditFiles = 8
)

// openAudit opens DATA/audit.log (mode 0600): who asked for what, and what came of
// it, in JSON, with secrets left out.
func (s *Server) openAudit() *slog.Logger {
	file := &lumberjack.Logger{Filename: filepath.Join(s.Data, "audit.log"), MaxSize: auditMB, MaxBackups: auditFiles}
	s.audit = file
	return slog.New(slog.NewJSONHandler(file, nil))
}
