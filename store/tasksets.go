package store

import "github.com/berthhq/berth/domain/service"

// TaskSets by ARN.
var TaskSets = &Table[service.TaskSet]{
	ID: taskSets, Noun: "task-set", Schema: 1,
	Primary: func(s *service.TaskSet) string { return s.ARN },
	Indexes: []*Index[service.TaskSet]{TaskSetsByService},
}

// TaskSetsByService orders the task sets of a service, by its ARN, by age.
var TaskSetsByService = &Index[service.TaskSet]{
	Key:  func(s *service.TaskSet) string { return s.ServiceARN },
	Rank: func(s *service.TaskSet) int64 { return s.Deployment.CreatedAt.UnixNano() },
}
